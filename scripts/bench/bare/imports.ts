/** A bare process with the modules that it is told: what any program that uses them has to pay. */

for (const name of process.argv.slice(2)) await import(name)
process.stdout.write('ready\n')
setInterval(() => {}, 2 ** 30) // stays, without ever waking up
process.on('SIGINT', () => process.exit(0))
