/** A media element, or what only behaves like one and may not know what it has buffered and played. */
export type Medium = Omit<HTMLMediaElement, "buffered" | "played"> &
  Partial<Pick<HTMLMediaElement, "buffered" | "played">>;

const HAVE_FUTURE_DATA = 3;
const SHOWN_SECONDS = 0.25;
const MEDIA_ERRORS = ["", "ABORTED", "NETWORK", "DECODE", "SRC_NOT_SUPPORTED"];

/** Whether frames move, as far as its state tells. */
export const isMoving = (video: Medium): boolean =>
  !video.paused && !video.ended && !video.seeking && !(video.readyState < HAVE_FUTURE_DATA);

/** Whether it started before it was watched. */
export const hasShown = ({ played }: Medium): boolean =>
  !!played?.length && played.end(0) - played.start(0) > SHOWN_SECONDS;

/** How much is ready to play from where it stands. */
export const bufferMs = (video: Medium): number | undefined => {
  const { buffered, currentTime } = video;
  for (let range = buffered?.length ?? 0; buffered && range-- > 0;) {
    const ahead = buffered.end(range) - currentTime;
    if (ahead >= 0 && buffered.start(range) <= currentTime) return Math.round(ahead * 1000);
  }
  return undefined;
};

/** The browser's name for why it cannot play. */
export const errorOf = (video: Medium): string => {
  const name = MEDIA_ERRORS[video.error?.code ?? 0];
  return name ? `MEDIA_ERR_${name}` : "MEDIA_ERR";
};
