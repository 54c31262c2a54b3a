/** A list as JSON text, item by item, so that a viewer reads on while it is made, and parses it once it is whole. */
import type { StageContext } from '../define.ts'

export function emitList(context: StageContext, key: string, items: readonly unknown[]): void {
  for (const [index, item] of items.entries()) {
    const before = index === 0 ? `{"${key}":[\n  ` : ',\n  '
    context.emit(before + JSON.stringify(item))
  }
  context.emit('\n]}\n')
}
