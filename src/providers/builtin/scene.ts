/** A scene as SVG: sky, light, ridges and what the words name. No text: that is laid over it. */
import { seededRandom } from './seed.ts'

export type SceneSize = { width: number; height: number }

type Random = () => number
type Palette = { top: string; bottom: string; light: string; ridge: (depth: number) => string; motif: string }
type Motif = (x: number, ground: number, size: number) => string

/** The first motif whose words are in the text is drawn; none of them gives bare hills. */
const MOTIFS: readonly { words: RegExp; draw: Motif }[] = [
  { words: /\b(forest|wood|tree|garden|leaf|leaves|branch|wald|baum|for[eê]t|bosque)\w*/i, draw: tree },
  { words: /\b(sea|ocean|river|lake|water|ship|wave|boat|meer|fluss|mer|mar)\b/i, draw: wave },
  { words: /\b(city|town|house|street|door|room|window|home|castle|palace|stadt|haus|maison|casa)\w*/i, draw: house },
  { words: /\b(mountain|hill|rock|stone|cliff|berg|montagne|monta[nñ]a)\w*/i, draw: peak },
]

const NIGHT = /\b(night|midnight|dark|darkness|moon|star|stars|black|dream|nacht|nuit|noche)\b/i

/** Only `scene` and the size decide what comes out. */
export function sceneSvg(scene: string, size: SceneSize): string {
  const random = seededRandom(scene)
  const night = NIGHT.test(scene)
  const palette = paletteOf(random, night)
  const layers = [0, 1, 2].map((depth) => ridge(random, size, { depth, palette, scene }))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">`,
    `<defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="${palette.top}"/>`,
    `<stop offset="1" stop-color="${palette.bottom}"/></linearGradient>`,
    `<radialGradient id="glow"><stop stop-color="${palette.light}" stop-opacity=".55"/>`,
    `<stop offset="1" stop-color="${palette.light}" stop-opacity="0"/></radialGradient></defs>`,
    `<rect width="${size.width}" height="${size.height}" fill="url(#sky)"/>`,
    night ? stars(random, size) : '',
    light(random, size, palette),
    ...layers,
    '</svg>',
  ].join('')
}

/** One hue by hash, its neighbours by distance: nearer is darker, as in hazy air. */
function paletteOf(random: Random, night: boolean): Palette {
  const hue = Math.floor(random() * 360)
  const sky = night ? [14, 30] : [34, 66]
  return {
    top: hsl(hue, 48, sky[0]!),
    bottom: hsl(hue + 38, 52, sky[1]!),
    light: night ? '#f4f1dc' : hsl(hue + 55, 85, 82),
    ridge: (depth) => hsl(hue + 12, 36, (night ? 20 : 34) - depth * (night ? 5 : 8)),
    motif: hsl(hue + 20, 38, night ? 8 : 13),
  }
}

function stars(random: Random, { width, height }: SceneSize): string {
  const star = () =>
    `<circle cx="${px(random() * width)}" cy="${px(random() * height * 0.6)}" r="${px((0.6 + random()) * (height / 700))}" fill="#fff" fill-opacity=".8"/>`
  return Array.from({ length: 70 }, star).join('')
}

/** Left or right of the middle, where headline and label stand. */
function light(random: Random, { width, height }: SceneSize, palette: Palette): string {
  const side = random() < 0.5 ? 0.14 : 0.64
  const at = `cx="${px(width * (side + 0.22 * random()))}" cy="${px(height * (0.14 + 0.2 * random()))}"`
  const r = Math.min(width, height) * (0.06 + 0.04 * random())
  return `<circle ${at} r="${px(r * 4)}" fill="url(#glow)"/><circle ${at} r="${px(r)}" fill="${palette.light}"/>`
}

/** A smooth horizon through a few random heights, with motifs standing on the two nearer ones. */
function ridge(
  random: Random,
  { width, height }: SceneSize,
  layer: { depth: number; palette: Palette; scene: string },
): string {
  const base = height * (0.6 + layer.depth * 0.13)
  const points = Array.from({ length: 7 }, (_, i) => ({
    x: (width * i) / 6,
    y: base + height * 0.11 * (random() - 0.5),
  }))
  const curve = points.slice(1).map((p, i) => {
    const middle = px((points[i]!.x + p.x) / 2)
    return `C${middle} ${px(points[i]!.y)} ${middle} ${px(p.y)} ${px(p.x)} ${px(p.y)}`
  })
  const ground = `<path d="M0 ${px(points[0]!.y)}${curve.join('')}V${height}H0Z" fill="${layer.palette.ridge(layer.depth)}"/>`
  if (layer.depth === 0) return ground
  const motif = MOTIFS.find(({ words }) => words.test(layer.scene))
  const shapes = motif
    ? points.slice(1, -1).map((p) => standing(random, p, { draw: motif.draw, height, depth: layer.depth }))
    : []
  return `${ground}<g fill="${layer.palette.motif}" fill-opacity="${0.45 + 0.2 * layer.depth}">${shapes.join('')}</g>`
}

function standing(
  random: Random,
  at: { x: number; y: number },
  how: { draw: Motif; height: number; depth: number },
): string {
  const x = at.x + (random() - 0.5) * how.height * 0.12
  return how.draw(x, at.y + how.height * 0.012, how.height * (0.07 + 0.05 * random()) * (0.7 + 0.4 * how.depth))
}

function tree(x: number, y: number, size: number): string {
  const tier = (up: number, wide: number) =>
    `<path d="M${px(x - size * wide)} ${px(y - size * up)}L${px(x)} ${px(y - size * (up + 0.8))}L${px(x + size * wide)} ${px(y - size * up)}Z"/>`
  return `<rect x="${px(x - size * 0.06)}" y="${px(y - size * 0.3)}" width="${px(size * 0.12)}" height="${px(size * 0.32)}"/>${tier(0.25, 0.42)}${tier(0.65, 0.33)}${tier(1.05, 0.24)}`
}

function house(x: number, y: number, size: number): string {
  const [left, top, wide] = [x - size * 0.5, y - size * 0.75, size]
  return (
    `<path d="M${px(left - size * 0.1)} ${px(top)}L${px(x)} ${px(top - size * 0.55)}L${px(left + wide + size * 0.1)} ${px(top)}Z"/>` +
    `<path fill-rule="evenodd" d="M${px(left)} ${px(top)}h${px(wide)}v${px(size * 0.85)}h${px(-wide)}Z` +
    `M${px(left + wide * 0.2)} ${px(top + size * 0.2)}v${px(size * 0.25)}h${px(wide * 0.22)}v${px(-size * 0.25)}Z"/>`
  )
}

function wave(x: number, y: number, size: number): string {
  const row = (dy: number, half: number) =>
    `<path d="M${px(x - half)} ${px(y + dy)}q${px(half / 2)} ${px(-size * 0.22)} ${px(half)} 0t${px(half)} 0v${px(size * 0.07)}q${px(-half / 2)} ${px(size * 0.2)} ${px(-half)} 0t${px(-half)} 0Z"/>`
  return row(size * 0.25, size * 1.1) + row(size * 0.6, size * 0.8)
}

function peak(x: number, y: number, size: number): string {
  return `<path d="M${px(x - size * 1.1)} ${px(y)}L${px(x - size * 0.2)} ${px(y - size * 1.5)}L${px(x + size * 0.25)} ${px(y - size * 0.95)}L${px(x + size * 0.45)} ${px(y - size * 1.15)}L${px(x + size * 1.2)} ${px(y)}Z"/>`
}

function hsl(hue: number, saturation: number, lightness: number): string {
  return `hsl(${Math.round(hue) % 360},${saturation}%,${lightness}%)`
}

/** A tenth of a pixel is finer than anyone sees, and short. */
function px(value: number): string {
  return String(Math.round(value * 10) / 10)
}
