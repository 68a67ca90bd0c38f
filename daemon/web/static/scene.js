/** What was heard of late, kept whichever view is shown: waveforms, beats, who it was, episodes. */

import { live } from "./live.js";
import { Reference } from "./reference.js";

export const RATE_HZ = 250;
const KEPT_S = 60;
const KEPT_BEATS = 900; // five minutes at 180 a minute
const KEPT_WEARERS = 200;
const KEPT_EPISODES = 40;
/** How many samples around an R peak are a beat. */
export const BEFORE = Math.round(0.28 * RATE_HZ);
export const AFTER = Math.round(0.48 * RATE_HZ);
/** Samples that may be missing without the breathing's filter beginning anew. */
const LONGEST_GAP = RATE_HZ / 4;

/**
 * @typedef {object} Beat
 * @property {number} index of its R peak.
 * @property {number | null} rr_s
 * @property {number} amplitude_mv
 * @property {string | null} kind null until it is told.
 * @property {number | null} quality
 * @property {string[]} flaws
 *
 * @typedef {{from: number, state: string, person: string | null, confidence: number | null}} Wearer
 * `from` in milliseconds since 1970.
 * @typedef {import("./types.js").Episode} KeptEpisode
 */

/** The newest samples of a waveform by their index; NaN is "not measured". */
export class Ring {
  /** @param {number} length */
  constructor(length) {
    this.values = new Float32Array(length).fill(NaN);
    this.first = 0;
    /** The index after the newest sample. */
    this.end = 0;
  }

  /**
   * @param {number} index of the first value.
   * @param {ArrayLike<number>} values
   */
  put(index, values) {
    const length = this.values.length;
    if (this.end === 0 || index < this.end - length || index > this.end + length) {
      this.values.fill(NaN);
      this.first = this.end = index;
    }
    for (let lost = this.end; lost < index; lost++) this.values[lost % length] = NaN;
    for (let i = 0; i < values.length; i++) this.values[(index + i) % length] = values[i];
    this.end = Math.max(this.end, index + values.length);
    this.first = Math.max(this.first, this.end - length);
  }

  /** @param {number} index */
  at(index) {
    return index >= this.first && index < this.end ? this.values[index % this.values.length] : NaN;
  }

  clear() {
    this.values.fill(NaN);
    this.first = this.end = 0;
  }
}

/** Frees the chest's impedance of its large offset and of the heart's part in it. */
class BreathFilter {
  constructor() {
    this.smooth = NaN;
    this.offset = NaN;
  }

  /** @param {number} value */
  push(value) {
    if (Number.isNaN(this.smooth)) this.smooth = this.offset = value;
    this.smooth += (value - this.smooth) * (2 * Math.PI * (0.7 / RATE_HZ));
    this.offset += (this.smooth - this.offset) * (2 * Math.PI * (0.04 / RATE_HZ));
    return this.smooth - this.offset;
  }
}

class Scene {
  constructor() {
    this.ecg = new Ring(KEPT_S * RATE_HZ);
    this.respiration = new Ring(KEPT_S * RATE_HZ);
    this.breath = new BreathFilter();
    this.reference = new Reference();
    /** Whether channel 1 records breathing; null before it is known. */
    this.measuresBreath = /** @type {boolean | null} */ (null);
    this.beats = /** @type {Beat[]} */ ([]);
    this.wearers = /** @type {Wearer[]} */ ([]);
    this.episodes = /** @type {KeptEpisode[]} */ ([]);
    /** When sample 0 was taken, in milliseconds since 1970, by the newest message. */
    this.zero_ms = NaN;
  }

  /** Begin to listen. */
  start() {
    live.on("ecg", (header, payload) => this.takeEcg(header, payload));
    live.on("wave", (header, payload) => this.takeWave(header, payload));
    live.on("r_peak", (peak) => this.takePeak(peak));
    live.on("beat", (beat) => this.takeBeat(beat));
    live.on("beat_kind", (kind) => this.takeKind(kind));
    live.on("identity", (identity) => this.takeIdentity(identity));
    live.on("rhythm", (rhythm) => this.takeRhythm(rhythm));
    live.on("restarted", () => this.restart());
    live.watch(({ silent_s }) => this.takeSilence(silent_s));
  }

  /**
   * The beat whose R peak is at a sample, if it was heard.
   *
   * @param {number} index
   */
  beatAt(index) {
    return this.beats.findLast((beat) => beat.index === index);
  }

  /**
   * The ECG around an R peak; null unless all of it is there.
   *
   * @param {number} index
   */
  waveAt(index) {
    const wave = Array.from({ length: BEFORE + AFTER }, (_, at) =>
      this.ecg.at(index - BEFORE + at),
    );
    return wave.some(Number.isNaN) ? null : wave;
  }

  /** @param {number} index */
  timeOf(index) {
    return new Date(this.zero_ms + (index / RATE_HZ) * 1000);
  }

  restart() {
    this.ecg.clear();
    this.respiration.clear();
    this.breath = new BreathFilter();
    this.reference.clear();
    this.beats = [];
    this.episodes = [];
  }

  /**
   * @param {import("./types.js").Ecg} header
   * @param {ArrayBuffer} payload
   */
  takeEcg(header, payload) {
    this.zero_ms = Date.parse(header.utc) - (header.index / RATE_HZ) * 1000;
    this.ecg.put(header.index, new Float32Array(payload));
  }

  /**
   * @param {import("./types.js").Wave} header
   * @param {ArrayBuffer} payload
   */
  takeWave(header, payload) {
    const channel = header.channels.indexOf("respiration");
    this.measuresBreath = channel >= 0;
    if (channel < 0) return;
    const lost = header.index - this.respiration.end;
    if (lost < 0 || lost > LONGEST_GAP) this.breath = new BreathFilter();
    const counts = new Int32Array(payload);
    const filtered = new Float32Array(counts.length / 2);
    const off = header.flags.lead_off ?? [];
    for (let i = 0; i < filtered.length; i++) {
      const at = header.index + i;
      if (off.some(([from, to]) => at >= from && at < to)) {
        this.breath = new BreathFilter();
        filtered[i] = NaN;
      } else filtered[i] = this.breath.push(counts[2 * i + channel] * header.mv_per_count[channel]);
    }
    this.respiration.put(header.index, filtered);
  }

  /** @param {import("./types.js").RPeak} peak */
  takePeak({ index, rr_s, amplitude_mv }) {
    if (index <= (this.beats.at(-1)?.index ?? -1)) return;
    this.beats.push({ index, rr_s, amplitude_mv, kind: null, quality: null, flaws: [] });
    if (this.beats.length > KEPT_BEATS) this.beats.shift();
  }

  /** @param {import("./types.js").BeatMessage} message */
  takeBeat({ r_index, quality, flaws }) {
    const beat = this.beatAt(r_index);
    if (!beat) return;
    Object.assign(beat, { quality, flaws });
    this.reference.take(this.beats, (index) => this.waveAt(index));
  }

  /** @param {import("./types.js").BeatKind} message */
  takeKind({ r_index, kind }) {
    const beat = this.beatAt(r_index);
    if (beat) beat.kind = kind;
  }

  /** @param {import("./types.js").Identity} identity */
  takeIdentity(identity) {
    const { state, person, confidence, utc, age_s } = identity;
    this.reference.takeIdentity(identity);
    const last = this.wearers.at(-1);
    if (last && last.state === state && last.person === person) {
      last.confidence = confidence;
      return;
    }
    this.addWearer({ from: Date.parse(utc) + 1000 * age_s, state, person, confidence });
  }

  /** @param {number} silent_s */
  takeSilence(silent_s) {
    if (live.isFresh || !this.wearers.length || this.wearers.at(-1)?.state === "silent") return;
    const from = Date.now() - 1000 * silent_s;
    this.addWearer({ from, state: "silent", person: null, confidence: null });
  }

  /** @param {Wearer} wearer */
  addWearer(wearer) {
    this.wearers.push(wearer);
    if (this.wearers.length > KEPT_WEARERS) this.wearers.shift();
  }

  /** @param {import("./types.js").Rhythm} rhythm */
  takeRhythm({ episodes }) {
    for (const { kind, onset, end } of episodes) {
      const known = this.episodes.find((each) => each.kind === kind && each.onset === onset);
      if (known) known.end = end;
      else this.episodes.push({ kind, onset, end });
    }
    this.episodes.splice(0, this.episodes.length - KEPT_EPISODES);
  }
}

/** What this page has heard. */
export const scene = new Scene();
