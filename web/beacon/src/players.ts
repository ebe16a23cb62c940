/** What is shown: `quality_level` as people say it (`720p`), `bitrate_kbps` as the manifest does. */
export interface Quality {
  quality_level?: string | undefined;
  bitrate_kbps?: number | undefined;
}

export interface Player {
  /** What is shown now, where the player can tell. */
  quality(): Quality | undefined;
  off(): void;
}

export type OnError = (code: string) => void;

/** A level, a representation, a track or a playlist's attributes: players name the same things differently. */
interface Rendition {
  height?: number;
  /** bit/s, in hls.js, Shaka and the older dash.js. */
  bitrate?: number;
  bandwidth?: number;
  /** kbit/s, in dash.js from version 5. */
  bitrateInKbit?: number;
  active?: boolean;
  BANDWIDTH?: number;
  RESOLUTION?: { height?: number };
}

interface Fault {
  fatal?: boolean;
  details?: string;
  code?: number | string;
  category?: number;
  severity?: number;
}

/** What an event of a player may carry. */
interface Said extends Fault {
  mediaType?: string;
  newQuality?: number;
  newRepresentation?: Rendition;
  error?: Fault;
  detail?: Fault;
}

type Listener = (first?: Said, second?: Said) => void;

/** The parts of the four players that are used here; which of them a player has tells which it is. */
interface Known {
  on?(type: string, listener: Listener): void;
  off?(type: string, listener: Listener): void;
  addEventListener?(type: string, listener: Listener): void;
  removeEventListener?(type: string, listener: Listener): void;
  levels?: Rendition[];
  currentLevel?: number;
  getBitrateInfoListFor?(type: "video"): Rendition[];
  getCurrentRepresentationForType?(type: "video"): Rendition | null;
  getVariantTracks?(): Rendition[];
  tech?(harmless: boolean): Tech | undefined;
  error?(): Fault | null;
}

interface Tech {
  on?(type: string, listener: Listener): void;
  off?(type: string, listener: Listener): void;
  vhs?: { playlists?: { media?(): { attributes?: Rendition } | undefined } };
}

const qualityOf = (shown: Rendition | null | undefined): Quality | undefined => {
  if (!shown) return undefined;
  const height = shown.height ?? shown.RESOLUTION?.height;
  const kbps = shown.bitrateInKbit ?? (shown.bitrate ?? shown.bandwidth ?? shown.BANDWIDTH ?? 0) / 1000;
  return { quality_level: height ? `${height}p` : undefined, bitrate_kbps: Math.round(kbps) || undefined };
};

/** Listens to a player of hls.js, dash.js, Shaka or video.js; nothing when it is none of them. */
export const adapt = (player: unknown, onQuality: () => void, onError: OnError): Player | undefined => {
  const known = (player ?? {}) as Known;
  const ends: (() => void)[] = [];
  const on = (target: Known | Tech | undefined, type: string, listener: Listener): void => {
    const emitter = target as Known | undefined;
    if (emitter?.on) emitter.on(type, listener);
    else emitter?.addEventListener?.(type, listener);
    ends.push(() => {
      if (emitter?.off) emitter.off(type, listener);
      else emitter?.removeEventListener?.(type, listener);
    });
  };
  let rendered: Quality | undefined;
  let quality: () => Quality | undefined;

  if (known.levels) {
    quality = () => qualityOf(known.levels?.[known.currentLevel ?? -1]);
    on(known, "hlsLevelSwitched", onQuality);
    on(known, "hlsError", (_, fault) => {
      if (fault?.fatal) onError(fault.details ?? "hls");
    });
  } else if (known.getCurrentRepresentationForType ?? known.getBitrateInfoListFor) {
    quality = () => rendered ?? qualityOf(known.getCurrentRepresentationForType?.("video"));
    on(known, "qualityChangeRendered", (said) => {
      if (said?.mediaType !== "video") return;
      const listed = known.getBitrateInfoListFor?.("video")[said.newQuality ?? -1];
      rendered = qualityOf(said.newRepresentation ?? listed);
      onQuality();
    });
    on(known, "error", (said) => {
      onError(`dash_${said?.error?.code ?? "error"}`);
    });
  } else if (known.getVariantTracks) {
    quality = () => qualityOf(known.getVariantTracks?.().find((track) => track.active));
    on(known, "adaptation", onQuality);
    on(known, "variantchanged", onQuality);
    on(known, "error", (said) => {
      if (said?.detail?.severity !== 1) onError(`shaka_${said?.detail?.code ?? "error"}`);
    });
  } else if (known.tech) {
    quality = () => qualityOf(known.tech?.(true)?.vhs?.playlists?.media?.()?.attributes);
    on(known.tech(true), "mediachange", onQuality);
    on(known, "error", () => {
      onError(`videojs_${known.error?.()?.code ?? "error"}`);
    });
  } else return undefined;

  return {
    quality() {
      try {
        return quality();
      } catch {
        return undefined; // it was destroyed before the beacon was stopped
      }
    },
    off() {
      for (const end of ends.splice(0)) {
        try {
          end();
        } catch {
          // as above: nothing is left to listen to
        }
      }
    },
  };
};
