/** The provider that needs no model and no network: what it makes comes from the user's own text. */
import type { Artist, ImageProvider, PictureBrief, Provenance, ScriptWriter, Work } from '../provider.ts'
import { drawable, notDrawn } from './drawable.ts'
import { type Fonts, prepareFonts } from './fonts.ts'
import { openTool } from './tool-client.ts'

export function createScriptWriter(): ScriptWriter {
  return {
    async write(brief, work) {
      await using tool = openTool(work)
      const script = await tool.call('write_script', brief)
      return { ...script, ...builtin([]) }
    },
  }
}

export function createImages(fontDir: string | null): ImageProvider {
  return { open: async (work) => createArtist(work, await prepareFonts(work.folder, fontDir)) }
}

/** One child draws all the cards of an opening. */
function createArtist(work: Work, fonts: Fonts): Artist {
  const tool = openTool(work, { FONTCONFIG_FILE: fonts.configFile })
  return {
    async draw(brief) {
      const { card, degraded } = drawableCard(brief, fonts)
      await tool.call('draw_card', card)
      return builtin(degraded)
    },
    [Symbol.asyncDispose]: () => tool[Symbol.asyncDispose](),
  }
}

/** Without a font for its words a card keeps its scene and loses its headline. */
function drawableCard(brief: PictureBrief, fonts: Fonts): { card: PictureBrief; degraded: string[] } {
  const headline = drawable(brief.headline, fonts.covers)
  return { card: { ...brief, headline: headline.text ?? '' }, degraded: notDrawn(headline.missing) }
}

function builtin(degraded: string[]): Provenance {
  return { provider: 'builtin', model: null, degraded }
}
