/**
 * A recording's samples as the viewer needs them: tiles of minima and maxima at steps of powers of four,
 * fetched when they are looked at and kept.
 *
 * While a tile is on its way, a coarser one that is there already is drawn.
 */

import { get } from "./api.js";

export const TILE_WIDTH = 1000; // pairs of minimum and maximum
const MOST_TILES = 300;
const FINEST_STEP_S = 0.004;

/**
 * @typedef {{min: (number | null)[], max: (number | null)[]}} Extremes
 * @typedef {{
 *   from_s: number, to_s: number, step_s: number, rate_hz: number, ecg_mv: Extremes,
 *   respiration_mv: Extremes | null,
 * }} Samples
 */

export class Pyramid {
  /**
   * @param {string} id of the recording.
   * @param {number} duration_s
   * @param {() => void} arrived called when a tile is there.
   * @param {(problem: Error) => void} failed
   * @param {AbortSignal} signal
   */
  constructor(id, duration_s, arrived, failed, signal) {
    this.path = `/recordings/${encodeURIComponent(id)}/samples`;
    this.duration_s = duration_s;
    this.arrived = arrived;
    this.failed = failed;
    this.signal = signal;
    /** @type {Map<string, Samples>} in the order of use. */
    this.tiles = new Map();
    /** @type {Set<string>} */
    this.asked = new Set();
    this.coarsest = levelOf(duration_s / TILE_WIDTH);
  }

  /**
   * The tiles that show a span, coarse ones first, so that finer ones are drawn over them.
   *
   * @param {number} from_s
   * @param {number} to_s
   * @param {number} pixels
   * @returns {Samples[]}
   */
  shown(from_s, to_s, pixels) {
    const level = Math.min(this.coarsest, levelOf((to_s - from_s) / pixels));
    const wanted = this.places(level, from_s, to_s);
    const there = wanted
      .map((place) => this.tile(level, place))
      .filter((tile) => tile !== undefined);
    if (there.length === wanted.length) return there;
    for (let coarser = level + 1; coarser <= this.coarsest; coarser++) {
      const places = this.places(coarser, from_s, to_s);
      const instead = places.map((place) => this.tiles.get(keyOf(coarser, place)));
      if (instead.every((tile) => tile !== undefined)) return instead;
    }
    return there;
  }

  /**
   * @param {number} level
   * @param {number} from_s
   * @param {number} to_s
   */
  places(level, from_s, to_s) {
    const span_s = spanOf(level);
    const first = Math.max(0, Math.floor(from_s / span_s));
    const last = Math.floor(Math.min(to_s, this.duration_s - FINEST_STEP_S) / span_s);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  }

  /**
   * A tile, if it is there; else it is asked for.
   *
   * @param {number} level
   * @param {number} place
   */
  tile(level, place) {
    const key = keyOf(level, place);
    const known = this.tiles.get(key);
    if (known) {
      this.tiles.delete(key);
      this.tiles.set(key, known);
      return known;
    }
    if (!this.asked.has(key)) this.fetch(key, level, place);
    return undefined;
  }

  /**
   * @param {string} key
   * @param {number} level
   * @param {number} place
   */
  async fetch(key, level, place) {
    this.asked.add(key);
    const from_s = place * spanOf(level);
    const to_s = Math.min(from_s + spanOf(level), this.duration_s);
    const width = Math.max(1, Math.ceil((to_s - from_s) / stepOf(level) - 1e-6));
    const query = new URLSearchParams({
      from_s: String(from_s),
      to_s: String(to_s),
      width: String(width),
    });
    try {
      this.tiles.set(key, await get(`${this.path}?${query}`, this.signal));
      for (const oldest of this.tiles.keys()) {
        if (this.tiles.size <= MOST_TILES) break;
        if (!oldest.startsWith(`${this.coarsest}:`)) this.tiles.delete(oldest);
      }
      this.arrived();
    } catch (problem) {
      if (!this.signal.aborted) this.failed(/** @type {Error} */ (problem));
    }
    this.asked.delete(key);
  }
}

/** The level whose step is the next finer one. @param {number} step_s */
function levelOf(step_s) {
  return Math.max(0, Math.floor(Math.log(step_s / FINEST_STEP_S) / Math.log(4) + 1e-9));
}

/** @param {number} level */
function stepOf(level) {
  return FINEST_STEP_S * 4 ** level;
}

/** @param {number} level */
function spanOf(level) {
  return TILE_WIDTH * stepOf(level);
}

/**
 * @param {number} level
 * @param {number} place
 */
function keyOf(level, place) {
  return `${level}:${place}`;
}
