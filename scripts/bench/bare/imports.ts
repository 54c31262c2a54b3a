/** A bare process with the modules that it is told: what any program that uses them has to pay. */

process.on('SIGINT', () => process.exit(0))
for (const name of process.argv.slice(2)) await import(name)
setInterval(() => {}, 2 ** 30) // stays, without ever waking up
process.stdout.write('ready\n')
