/** Draws a scene card: runs only in the drawing child, after FONTCONFIG_FILE has been set by its parent. */
import { writeFile } from 'node:fs/promises'
import sharp, { type OverlayOptions } from 'sharp'
import type { PictureBrief } from '../provider.ts'
import { FONT_FAMILY, xml } from './fonts.ts'
import { sceneSvg } from './scene.ts'

/** Camera moves show at least this share of the picture all the time: text stays inside it. */
const SAFE = 0.68

/** Headline sizes to try, as shares of the picture's smaller side. */
const SIZES = [0.1, 0.082, 0.066, 0.052, 0.042]

/** `headline` and `label` must be drawable; an empty one is left out. */
export async function drawCard(card: PictureBrief): Promise<void> {
  const background = Buffer.from(sceneSvg(card.scene, card))
  const texts = [await headline(card), await label(card)].filter((overlay) => overlay !== undefined)
  const image = sharp(background).composite(texts).removeAlpha()
  const encoded =
    card.format === 'png' ? image.png({ compressionLevel: 6 }) : image.jpeg({ quality: 90, mozjpeg: false })
  await writeFile(card.path, await encoded.toBuffer())
}

/** Centred a little above the middle, on a soft dark shape that keeps it readable on any sky. */
async function headline(card: PictureBrief): Promise<OverlayOptions | undefined> {
  if (card.headline === '') return undefined
  const box = { width: Math.round(card.width * SAFE), height: Math.round(card.height * 0.4) }
  const text = await fittingText(card, box)
  const pad = Math.round(Math.min(card.width, card.height) * 0.045)
  const plate = {
    width: Math.min(card.width, text.width + 2 * pad),
    height: Math.min(card.height, text.height + 2 * pad),
  }
  const input = await sharp(Buffer.from(plateSvg(plate, pad)))
    .composite([{ input: text.data, gravity: 'centre' }])
    .png()
    .toBuffer()
  return {
    input,
    left: Math.round((card.width - plate.width) / 2),
    top: Math.max(0, Math.round(card.height * 0.44 - plate.height / 2)),
  }
}

type Box = { width: number; height: number }
type Picture = Box & { data: Buffer }
type TextStyle = { px: number; width: number; bold: boolean; breakWords?: boolean }

/** The largest size at which whole words fit; as a last resort words are broken and rows cut off. */
async function fittingText(card: PictureBrief, box: Box): Promise<Picture> {
  const side = Math.min(card.width, card.height)
  for (const share of SIZES) {
    const picture = await textPicture(card.headline, { px: side * share, width: box.width, bold: true })
    if (picture.width <= box.width && picture.height <= box.height) return picture
  }
  const px = side * SIZES.at(-1)!
  return crop(await textPicture(card.headline, { px, width: box.width, bold: true, breakWords: true }), box)
}

async function crop({ data, width, height }: Picture, box: Box): Promise<Picture> {
  const area = { left: 0, top: 0, width: Math.min(width, box.width), height: Math.min(height, box.height) }
  return { data: await sharp(data).extract(area).png().toBuffer(), width: area.width, height: area.height }
}

async function label(card: PictureBrief): Promise<OverlayOptions | undefined> {
  if (card.label === '') return undefined
  const text = await textPicture(card.label, {
    px: Math.min(card.width, card.height) * 0.03,
    width: card.width,
    bold: false,
  })
  return { input: text.data, left: Math.round((card.width - text.width) / 2), top: Math.round(card.height * 0.17) }
}

/** Pango breaks lines and shapes every script; at 72 dpi its points are our pixels. */
async function textPicture(text: string, style: TextStyle): Promise<Picture> {
  const { data, info } = await sharp({
    text: {
      text: `<span foreground="#ffffff">${xml(text)}</span>`,
      font: `${FONT_FAMILY}${style.bold ? ' Bold' : ''} ${Math.round(style.px)}`,
      width: style.width,
      align: 'centre',
      wrap: style.breakWords ? 'word-char' : 'word',
      dpi: 72,
      rgba: true,
    },
  })
    .png()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

function plateSvg({ width, height }: { width: number; height: number }, radius: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="${width}" height="${height}" rx="${radius * 0.6}" fill="#000" fill-opacity=".42"/></svg>`
}
