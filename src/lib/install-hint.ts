/** How to install a missing program on this system: a pure function, and the few facts that it needs. */
import { readFile } from 'node:fs/promises'

/** `ids` are ID and ID_LIKE of os-release(5), e.g. `['ubuntu', 'debian']`. */
export type PlatformFacts = { platform: NodeJS.Platform; ids: readonly string[] }

/** Package names where they differ from the program's. */
const PACKAGES: Record<string, Partial<Record<Manager, string>>> = {
  ffprobe: { apt: 'ffmpeg', dnf: 'ffmpeg-free', pacman: 'ffmpeg', apk: 'ffmpeg', zypper: 'ffmpeg', brew: 'ffmpeg' },
  ffmpeg: { dnf: 'ffmpeg-free' },
  'redis-server': { dnf: 'redis', pacman: 'redis', apk: 'redis', zypper: 'redis', brew: 'redis' },
}

type Manager = 'apt' | 'dnf' | 'pacman' | 'apk' | 'zypper' | 'brew'

const COMMANDS: Record<Manager, string> = {
  apt: 'sudo apt-get install -y',
  dnf: 'sudo dnf install -y',
  pacman: 'sudo pacman -S --noconfirm',
  apk: 'sudo apk add',
  zypper: 'sudo zypper install -y',
  brew: 'brew install',
}

const MANAGER_OF_ID: Record<string, Manager> = {
  debian: 'apt',
  ubuntu: 'apt',
  fedora: 'dnf',
  rhel: 'dnf',
  centos: 'dnf',
  arch: 'pacman',
  alpine: 'apk',
  suse: 'zypper',
  opensuse: 'zypper',
}

/** The command that installs `program`, or a sentence when the package manager is not known. */
export function installHint(program: string, facts: PlatformFacts): string {
  const manager = managerOf(facts)
  if (!manager) return `install ${program} and put it on the PATH`
  return `${COMMANDS[manager]} ${PACKAGES[program]?.[manager] ?? program}`
}

/** What `installHint` needs to know of the machine that we run on. */
export async function readPlatform(): Promise<PlatformFacts> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '') // not every system has one
  return { platform: process.platform, ids: parseOsRelease(text) }
}

export function parseOsRelease(text: string): string[] {
  const value = (name: string) => text.match(new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm'))?.[1] ?? ''
  return `${value('ID')} ${value('ID_LIKE')}`.split(/\s+/).filter((id) => id !== '')
}

function managerOf({ platform, ids }: PlatformFacts): Manager | undefined {
  if (platform === 'darwin') return 'brew'
  if (platform !== 'linux') return undefined
  return ids.map((id) => MANAGER_OF_ID[id]).find((manager) => manager !== undefined)
}
