/**
 * What somebody's beats look like here: the mean of the first ones after they were recognised.
 *
 * The device keeps of a person 48 numbers, of which no waveform can be made. So this page takes a mean
 * of its own, of one person at a time, in its own memory alone.
 */

/** How many beats it is of before it is worth showing, and when it has enough. */
const LEAST = 10;
const ENOUGH = 60;
/** So many beats later a beat's kind and the ECG after it have come. */
const SETTLED = 3;

export class Reference {
  constructor() {
    this.person = /** @type {string | null} */ (null);
    this.since = new Date(NaN);
    this.beats = 0;
    this.sum = /** @type {number[]} */ ([]);
    /** The sample from which on beats are this person's; Infinity while it is not known that they are. */
    this.from = Infinity;
  }

  clear() {
    Object.assign(this, new Reference());
  }

  /** @param {import("./types.js").Identity} identity */
  takeIdentity({ state, person, index, utc }) {
    if (state !== "accepted" || person === null) {
      this.from = Infinity;
      return;
    }
    if (person !== this.person) {
      this.clear();
      this.person = person;
      this.since = new Date(utc);
    }
    this.from = Math.min(this.from, index);
  }

  /**
   * Take the beat that is settled by now.
   *
   * @param {import("./scene.js").Beat[]} beats the newest last.
   * @param {(index: number) => number[] | null} waveAt the ECG around an R peak, if there is all of it.
   */
  take(beats, waveAt) {
    const beat = beats.at(-1 - SETTLED);
    const isGood =
      beat && beat.quality !== null && !beat.flaws.length && (beat.kind ?? "N") === "N";
    if (!isGood || beat.index < this.from || this.beats >= ENOUGH) return;
    const wave = waveAt(beat.index);
    if (!wave) return;
    this.sum = wave.map((mv, at) => mv + (this.sum[at] ?? 0));
    this.beats += 1;
  }

  /** The mean beat; null while there are too few. */
  get mean() {
    return this.beats < LEAST ? null : this.sum.map((mv) => mv / this.beats);
  }
}
