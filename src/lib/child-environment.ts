/** The variables by which a child, and a later run, can tell whose process it is. */

export const CHILD_ENVIRONMENT = {
  runId: 'SHOWRUNNER_RUN_ID',
  dataId: 'SHOWRUNNER_DATA_ID',
  parentPid: 'SHOWRUNNER_PARENT_PID',
  /** Of one process and all that it starts, until it ends. */
  childId: 'SHOWRUNNER_CHILD_ID',
} as const

/** For the `env` of a child's command. */
export function childEnvironment(ids: { runId: string; dataId: string; parentPid: number }): Record<string, string> {
  return {
    [CHILD_ENVIRONMENT.runId]: ids.runId,
    [CHILD_ENVIRONMENT.dataId]: ids.dataId,
    [CHILD_ENVIRONMENT.parentPid]: String(ids.parentPid),
  }
}
