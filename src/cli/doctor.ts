/** `doctor`: is everything here that the pipelines need, and what to do about what is not. */
import type { Config } from '../config.ts'
import { messageOf } from '../lib/errors.ts'
import {
  type Check,
  checkFolder,
  checkNode,
  checkProgram,
  checkProvider,
  checkRedis,
  checkServer,
} from './doctor-checks.ts'
import type { Output } from './output.ts'
import { textTable } from './text.ts'
import type { Verb, VerbContext } from './verb.ts'

export const doctor: Verb = {
  usage: 'doctor',
  summary: 'check programs, folders and settings; exits with 1 when something must be done',
  timeoutS: 60,
  async run(context) {
    const checks = await runChecks(context)
    context.out.data(checks, textTable(checks.map((check) => rowOf(check, context.out))))
    return checks.some(({ level }) => level === 'failed') ? 1 : 0
  },
}

async function runChecks({ config, signal }: VerbContext): Promise<Check[]> {
  const settings = loadSettings(config)
  if (!settings.config) return [checkNode(process.versions.node), settings.check]
  const { ffmpegPath, ffprobePath, dataDir } = settings.config
  return Promise.all([
    checkNode(process.versions.node),
    settings.check,
    checkFolder(dataDir),
    checkServer(settings.config, signal),
    checkRedis(settings.config, signal),
    checkProgram('ffmpeg', { file: ffmpegPath, args: ['-version'], signal, level: 'failed' }),
    checkProgram('ffprobe', { file: ffprobePath, args: ['-version'], signal, level: 'failed' }),
    checkProgram('espeak-ng', { file: null, args: ['--version'], signal, level: 'warning' }),
    checkProvider(settings.config),
  ])
}

/** Broken settings are a finding, not the end of the examination. */
function loadSettings(config: () => Config): { check: Check; config?: Config } {
  try {
    const loaded = config()
    const level = loaded.notes.length === 0 ? 'ok' : 'warning'
    return { check: { name: 'settings', level, message: loaded.notes.join('; ') || 'valid' }, config: loaded }
  } catch (error) {
    return { check: { name: 'settings', level: 'failed', message: messageOf(error) } }
  }
}

function rowOf({ name, level, message }: Check, out: Output): string[] {
  const marks = { ok: out.paint('green', '✔'), warning: out.paint('yellow', '▲'), failed: out.paint('red', '✖') }
  return [marks[level], name, message]
}
