import { guarded } from "./guard.ts";
import { nameOf, type Consent, type Options } from "./options.ts";
import { isWatched, watch, type Handle } from "./watch.ts";

export { watch, type Consent, type Handle, type Options };

/**
 * Watches every video of the page that `selector` names, from when it plays, those to come too. A video's own
 * `data-content` goes before that of the options. The handle speaks for all of them.
 */
export const watchPage = (options: Options, selector = "video"): Handle => {
  const handles = new Map<HTMLMediaElement, Handle>();
  const given = { ...options };
  const take = guarded((video: EventTarget | null) => {
    if (!(video instanceof HTMLMediaElement) || !video.matches(selector) || isWatched(video)) return;
    for (const [before, handle] of handles) {
      // one that was taken away after its end says nothing more
      if (!before.isConnected) handle.stop();
      if (!isWatched(before)) handles.delete(before);
    }
    handles.set(video, watch(video, { ...given, content: nameOf(video.dataset.content) ?? given.content }));
  });
  const onPlay = (event: Event): void => {
    take(event.target);
  };
  const each = (act: (handle: Handle) => void): void => {
    for (const [video, handle] of handles) if (isWatched(video)) act(handle);
  };
  guarded(() => {
    const videos = document.querySelectorAll<HTMLMediaElement>(selector);
    document.addEventListener("play", onPlay, true);
    for (const video of videos) if (!video.paused) take(video);
  })();
  return {
    stop() {
      document.removeEventListener("play", onPlay, true);
      each((handle) => {
        handle.stop();
      });
    },
    consent(value) {
      given.consent = value;
      each((handle) => {
        handle.consent(value);
      });
    },
    content(id, session) {
      given.content = id;
      each((handle) => {
        handle.content(id, session);
      });
    },
  };
};

const ATTRIBUTES = ["deviceType", "networkQuality", "country", "tier", "ageGroup"];

/** What a `<script data-key data-content …>` asks for. */
const asked = (script: HTMLScriptElement): Handle => {
  const { dataset: data } = script;
  const named = ATTRIBUTES.map((name) => [
    name.replace(/[A-Z]/g, (upper) => "_" + upper.toLowerCase()),
    data[name],
  ]);
  return watchPage(
    {
      endpoint: data.endpoint ?? (script.src ? new URL(script.src).origin : ""),
      key: data.key,
      content: data.content ?? "",
      contentType: data.contentType,
      viewer: data.viewer,
      session: data.session,
      consent: data.consent as Consent | undefined,
      child: data.child === undefined ? undefined : data.child !== "false",
      attributes: Object.fromEntries(named) as Record<string, string | undefined>,
      respectDoNotTrack: data.respectDoNotTrack as Options["respectDoNotTrack"],
    },
    data.video,
  );
};

/** The script that this is, where it is one of the page's own and says what to report. */
const script = typeof document === "undefined" ? null : (document.currentScript as HTMLScriptElement | null);

/** What speaks for the videos that the script's own attributes asked for. */
export let page: Handle | undefined;

guarded(() => {
  if (script && ["key", "endpoint", "content"].some((name) => name in script.dataset)) page = asked(script);
})();
