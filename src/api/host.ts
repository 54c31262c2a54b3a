/** Which Host and Origin headers are ours: the defence against DNS rebinding and foreign pages. Pure. */

export type HostRule = {
  /** `name` (any of our ports or none) or `name:port` (exactly that). */
  extra: readonly string[]
  /** The socket's own address: an IP literal, which no DNS answer can point at us. */
  localAddress?: string
  /** Undefined when there is no socket: then any port is ours. */
  localPort?: number
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** True when `host` (a Host header) names us, with our port or none. */
export function isAllowedHost(host: string, rule: HostRule): boolean {
  const wanted = host.toLowerCase()
  if (rule.extra.some((entry) => entry.toLowerCase() === wanted)) return true
  const { name, port } = splitHost(wanted)
  if (port !== undefined && rule.localPort !== undefined && port !== String(rule.localPort)) return false
  return LOOPBACK.has(name) || name === literalOf(rule.localAddress) || rule.extra.some((e) => e.toLowerCase() === name)
}

/** True when a page of `origin` is one that we served to a browser which calls us `host`. */
export function isAllowedOrigin(origin: string, host: string, rule: Pick<HostRule, 'extra'>): boolean {
  const name = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase()
  if (name === undefined) return false
  return name === host.toLowerCase() || rule.extra.some((entry) => entry.toLowerCase() === name)
}

/** Brackets stay on an IPv6 literal; a name that is no valid host is compared as it is and matches nothing. */
function splitHost(host: string): { name: string; port: string | undefined } {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(host)
  return { name: match?.[1] ?? host, port: match?.[2] }
}

/** How a browser writes an address: IPv4 inside IPv6 as IPv4, IPv6 in brackets. */
function literalOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (v4) return v4
  return address.includes(':') ? `[${address.toLowerCase()}]` : address
}
