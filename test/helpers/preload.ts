/** Settings that make every process of a program load one of test/fixtures/preloads first. */
import { fileURLToPath } from 'node:url'

export function preloadEnv(name: string, options = ''): { NODE_OPTIONS: string } {
  const path = fileURLToPath(new URL(`../fixtures/preloads/${name}.ts`, import.meta.url))
  return { NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${path} ${options}`.trim() }
}
