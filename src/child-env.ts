/** The environment of a child; config.ts is too slow to load for it. */
import { CHILD_ENVIRONMENT } from './lib/child-environment.ts'

/** The few that it needs before its settings arrive. Null where a variable is missing, as in a child that somebody started by hand. */
export type ChildVariables = { runId: string | null; dataId: string | null; parentPid: number | null }

export function childVariables(): ChildVariables {
  const pid = Number(process.env[CHILD_ENVIRONMENT.parentPid])
  return {
    runId: process.env[CHILD_ENVIRONMENT.runId] ?? null,
    dataId: process.env[CHILD_ENVIRONMENT.dataId] ?? null,
    parentPid: Number.isInteger(pid) && pid > 0 ? pid : null,
  }
}

/** All that it has, also what is none of our settings. */
export function environment(): Readonly<NodeJS.ProcessEnv> {
  return process.env
}
