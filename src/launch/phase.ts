/** Where the program is in its life. */
export type Phase = 'starting' | 'running' | 'stopping'
