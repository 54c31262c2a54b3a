/** Paths of the API, with every part encoded. */

const PROJECTS = '/api/v1/projects'
export const WORKERS = '/api/v1/workers'

/** `/api/v1/projects`, and what lies below. */
export function pathOf(...parts: string[]): string {
  return [PROJECTS, ...parts.map(encodeURIComponent)].join('/')
}

export function socketPathOf(id: string, stage: string | undefined): string {
  const parts = stage === undefined ? [id] : [id, 'stage', stage]
  return `/ws/projects/${parts.map(encodeURIComponent).join('/')}/`
}
