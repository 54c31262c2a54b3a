/** Adds to a lock file the optional packages of other platforms, which npm drops when it cannot see them (npm/cli#4828). */

export type LockEntry = {
  version?: string
  resolved?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}
export type Lock = { packages: Record<string, LockEntry> }

const SYSTEMS = ['android', 'darwin', 'linux', 'freebsd', 'openharmony', 'win32']
const PROCESSORS = ['arm64', 'x64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64']

/** Those whose names do not tell. */
const KNOWN: Record<string, Pick<LockEntry, 'os'>> = { fsevents: { os: ['darwin'] } }

/** Names that were added. Throws for one whose name does not say for which platform it is. */
export function completeLock(lock: Lock): string[] {
  const added: string[] = []
  for (const [where, { dev, optionalDependencies = {} }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const key = `node_modules/${name}`
      if (lock.packages[key] || lock.packages[`${where}/${key}`]) continue
      lock.packages[key] = { version, ...(dev ? { dev } : {}), optional: true, ...(KNOWN[name] ?? platformOf(name)) }
      added.push(name)
    }
  }
  // As npm sorts them, so that its next change shows only what it changed.
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')))
  return added
}

/** From names like `@oxc-parser/binding-linux-arm64-musl`. */
function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const parts = name.slice(name.indexOf('/') + 1).split('-')
  const os = parts.find((part) => SYSTEMS.includes(part))
  const cpu = parts.find((part) => PROCESSORS.includes(part))
  if (!os || !cpu) throw new Error(`package-lock.json lacks ${name}, and its name says no platform`)
  const libc = os !== 'linux' ? undefined : parts.some((part) => part.startsWith('musl')) ? 'musl' : libcOf(parts)
  return { os: [os], cpu: [cpu], ...(libc ? { libc: [libc] } : {}) }
}

function libcOf(parts: string[]): 'glibc' | undefined {
  return parts.some((part) => part.startsWith('gnu')) ? 'glibc' : undefined
}
