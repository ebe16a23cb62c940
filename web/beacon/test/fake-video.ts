/** A media element that does what browsers' do, in the order in which they say it, by the test's clock. */
export class FakeVideo extends EventTarget {
  paused = true;
  ended = false;
  seeking = false;
  readyState = 4;
  networkState = 2;
  videoHeight = 0;
  isConnected = true;
  duration = 3600;
  loop = false;
  error: { code: number } | null = null;
  played = { length: 0, start: () => 0, end: () => 0 };
  buffered = { length: 1, start: () => 0, end: () => 1e6 };
  /** How long frames have moved, in ms: the truth. */
  moved = 0;
  private moving = false;
  private base = 0;
  private since = 0;
  private rate = 1;

  get currentTime(): number {
    return this.base + (this.moving ? ((performance.now() - this.since) / 1000) * this.rate : 0);
  }

  get playbackRate(): number {
    return this.rate;
  }

  get media(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }

  say(...types: string[]): void {
    for (const type of types) this.dispatchEvent(new Event(type));
  }

  press(): void {
    this.paused = this.ended = false;
    this.say("play");
  }

  show(): void {
    this.readyState = 4;
    if (this.paused || this.seeking) return;
    this.move(true);
    this.say("playing");
  }

  play(): void {
    this.press();
    if (this.readyState > 2) this.show();
    else this.say("waiting");
  }

  pause(): void {
    this.move(false);
    this.paused = true;
    this.say("timeupdate", "pause");
  }

  starve(): void {
    this.readyState = 2;
    this.move(false);
    this.say("timeupdate", "waiting");
  }

  /** It stands still, and says nothing of it. */
  freeze(): void {
    this.move(false);
  }

  seek(to: number): void {
    this.move(false);
    this.base = to;
    this.seeking = true;
    this.readyState = 1;
    this.ended = false;
    this.say("seeking");
    if (!this.paused) this.say("waiting");
  }

  settle(): void {
    this.seeking = false;
    this.readyState = 4;
    this.say("timeupdate", "seeked");
    this.show();
  }

  speed(rate: number): void {
    const moving = this.moving;
    this.move(false);
    this.rate = rate;
    this.move(moving);
    this.say("ratechange");
  }

  end(): void {
    this.move(false);
    this.paused = this.ended = true;
    this.say("timeupdate", "pause", "ended");
  }

  /** Another source, or with `none` no source any more. */
  load({ none = false } = {}): void {
    this.move(false);
    this.base = 0;
    this.paused = true;
    this.readyState = 0;
    this.networkState = none ? 0 : 2;
    this.say("emptied");
  }

  fail(code: number): void {
    this.move(false);
    this.error = { code };
    this.say("error");
  }

  /** What browsers say four times a second while frames move. */
  tick(): void {
    if (this.moving) this.say("timeupdate");
  }

  private move(on: boolean): void {
    const now = performance.now();
    this.base = this.currentTime;
    if (this.moving && this.rate !== 0) this.moved += now - this.since;
    this.since = now;
    this.moving = on;
  }
}
