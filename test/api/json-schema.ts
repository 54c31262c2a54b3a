/** Checks values against the schemas of our OpenAPI document; a keyword that it does not know is itself a failure. */

export type JsonSchema = { [keyword: string]: unknown }
export type Components = Record<string, JsonSchema>

const KNOWN = new Set([
  ...['type', 'enum', 'const', 'properties', 'required', 'items', 'additionalProperties', '$ref', 'anyOf', 'allOf'],
  ...['pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'description', 'example', 'default', 'format'],
])

/** What is wrong with `value`, each with its place; fields that the schema does not name count as wrong. */
export function violations(value: unknown, schema: JsonSchema, components: Components): string[] {
  return check(value, schema, { components, at: '$' })
}

type Place = { components: Components; at: string }

function check(value: unknown, schema: JsonSchema, place: Place): string[] {
  const { components, at } = place
  const unknown = Object.keys(schema).filter((keyword) => !KNOWN.has(keyword))
  if (unknown.length > 0) return [`${at}: unknown keywords ${unknown}`]
  if (typeof schema.$ref === 'string') return check(value, resolve(schema.$ref, components), place)
  if (Array.isArray(schema.allOf)) return check(value, merge(schema, components), place)
  if (Array.isArray(schema.anyOf)) {
    const each = (schema.anyOf as JsonSchema[]).map((option) => check(value, option, place))
    return each.some((found) => found.length === 0) ? [] : each.flat()
  }
  return [...scalarViolations(value, schema, at), ...nestedViolations(value, schema, place)]
}

function scalarViolations(value: unknown, schema: JsonSchema, at: string): string[] {
  const found: string[] = []
  const types = [schema.type ?? []].flat() as string[]
  if (types.length > 0 && !types.some((type) => isOfType(value, type)))
    found.push(`${at}: ${typeof value} is not ${types}`)
  if (Array.isArray(schema.enum) && !schema.enum.includes(value))
    found.push(`${at}: ${String(value)} is not in ${schema.enum}`)
  if ('const' in schema && schema.const !== value) found.push(`${at}: ${String(value)} is not ${schema.const}`)
  if (typeof value === 'string' && typeof schema.pattern === 'string' && !new RegExp(schema.pattern).test(value))
    found.push(`${at}: ${value} does not match ${schema.pattern}`)
  if (typeof value === 'string' && schema.format === 'date-time' && Number.isNaN(Date.parse(value)))
    found.push(`${at}: ${value} is no date`)
  if (typeof value === 'number' && value < Number(schema.minimum ?? -Infinity))
    found.push(`${at}: ${value} is too small`)
  if (typeof value === 'number' && value > Number(schema.maximum ?? Infinity))
    found.push(`${at}: ${value} is too large`)
  return found
}

function nestedViolations(value: unknown, schema: JsonSchema, { components, at }: Place): string[] {
  if (Array.isArray(value))
    return value.flatMap((item, i) =>
      check(item, (schema.items ?? {}) as JsonSchema, { components, at: `${at}[${i}]` }),
    )
  if (value === null || typeof value !== 'object' || !('properties' in schema || 'additionalProperties' in schema))
    return []
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
  const rest = schema.additionalProperties
  const missing = ((schema.required ?? []) as string[])
    .filter((name) => !(name in value))
    .map((name) => `${at}: no ${name}`)
  const inside = Object.entries(value).flatMap(([name, item]) => {
    const own = Object.hasOwn(properties, name)
      ? properties[name]
      : rest === true
        ? {}
        : (rest as JsonSchema | undefined)
    return own ? check(item, own, { components, at: `${at}.${name}` }) : [`${at}: undocumented ${name}`]
  })
  return [...missing, ...inside]
}

/** `allOf` as one object schema, so that a field of one part is not undocumented in the other. */
function merge({ allOf, ...own }: JsonSchema, components: Components): JsonSchema {
  const parts = [...(allOf as JsonSchema[]), own].map((part) =>
    typeof part.$ref === 'string' ? resolve(part.$ref, components) : part,
  )
  const flat = parts.map((part) => (Array.isArray(part.allOf) ? merge(part, components) : part))
  return {
    ...Object.assign({}, ...flat),
    properties: Object.assign({}, ...flat.map((part) => part.properties ?? {})),
    required: flat.flatMap((part) => (part.required ?? []) as string[]),
  }
}

function resolve(ref: string, components: Components): JsonSchema {
  const schema = components[ref.replace('#/components/schemas/', '')]
  if (!schema) throw new Error(`the document has no ${ref}`)
  return schema
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return value !== null && typeof value === 'object' && !Array.isArray(value)
  return typeof value === type
}
