/** `chaos`: does every kind of harm to a temporary instance, and shows that nothing is lost. */
import type { Verb } from './verb.ts'

export const chaos: Verb = {
  usage: 'chaos',
  summary: 'do every kind of harm to a temporary instance, and print a scorecard; exits with 1 when anything was lost',
  options: [
    ['--list', 'only name the faults'],
    ['--only <fault>', 'only this one; can be repeated', 'repeatable'],
    ['--pipeline <name>', 'run a pipeline of yours, for real and many times, in place of the built-in load'],
    ['--input <file>', 'its input; its own first example when not given'],
    ['--seed <n>', 'the same victims and moments again'],
    ['--random <kills>', 'instead: so many random kills on one instance'],
    ['--minutes <m>', 'with --random: over so long; 10 when not given'],
    ['--projects <n>', 'with --random: while so many projects run; 200 when not given'],
  ],
  async run(context, _args, options) {
    const { runChaos } = await import('./chaos-run.ts') // no other verb should pay for what it needs
    return runChaos(context, options)
  },
}
