/**
 * The live connection: one WebSocket for the whole page, which hands each message to its listeners.
 *
 * A message is binary: the header's length (u16, little-endian), the header (JSON, with its `topic`),
 * and a waveform's samples as on the wire. The connection comes back by itself.
 */

/** Nothing heard for so long is a silence, as docs/protocol.md says. */
export const SILENT_AFTER_S = 3;
const FIRST_WAIT_S = 0.5;
const LONGEST_WAIT_S = 15;
const TOPICS = [
  "status",
  "identity",
  "r_peak",
  "beat",
  "beat_kind",
  "rhythm",
  "alarm",
  "hrv",
  "ecg",
  "wave",
];
/** What a listener that comes late hears at once. */
const REMEMBERED = new Set(["status", "identity", "rhythm", "hrv"]);

/**
 * @typedef {"connecting" | "open" | "waiting"} Connection
 * @typedef {{connection: Connection, silent_s: number, waits_s: number}} Condition
 * @typedef {(header: any, payload: ArrayBuffer) => void} Listener
 */

class Live {
  constructor() {
    /** @type {Map<string, Set<Listener>>} */
    this.listeners = new Map();
    /** @type {Map<string, any>} */
    this.newest = new Map();
    /** @type {Set<(condition: Condition) => void>} */
    this.watchers = new Set();
    /** @type {Connection} */
    this.connection = "connecting";
    /** @type {WebSocket | null} */
    this.socket = null;
    this.waits_s = FIRST_WAIT_S;
    this.heardAt = -Infinity;
    this.wasFresh = false;
    this.boot = "";
    /** @type {Map<string, number>} */
    this.sequences = new Map();
    this.timer = this.retry = 0;
  }

  /** Connect, and stay connected until `stop`. */
  start() {
    this.stop();
    this.timer = window.setInterval(() => this.tell(), 1000);
    this.connect();
  }

  stop() {
    clearInterval(this.timer);
    clearTimeout(this.retry);
    if (this.socket) {
      this.socket.onclose = this.socket.onmessage = null;
      this.socket.close();
      this.socket = null;
    }
  }

  /**
   * Hear the messages of a topic, of which the newest comes at once if it is a lasting one. Topics are
   * also `forget`: what was heard holds no longer, after a silence or a restart; `restarted`, after
   * which indices begin again; and `dropped`.
   *
   * @param {string} topic
   * @param {Listener} listener
   * @param {AbortSignal} [signal] ends it.
   */
  on(topic, listener, signal) {
    const all = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, all.add(listener));
    signal?.addEventListener("abort", () => all.delete(listener));
    const known = this.newest.get(topic);
    if (known) listener(known, new ArrayBuffer(0));
  }

  /**
   * Hear how the connection is: after each change, and each second.
   *
   * @param {(condition: Condition) => void} watcher
   * @param {AbortSignal} [signal] ends it.
   */
  watch(watcher, signal) {
    this.watchers.add(watcher);
    signal?.addEventListener("abort", () => this.watchers.delete(watcher));
    watcher(this.condition());
  }

  /** @returns {Condition} */
  condition() {
    const silent_s = (performance.now() - this.heardAt) / 1000;
    return { connection: this.connection, silent_s, waits_s: this.waits_s };
  }

  /** Whether what was heard last still holds. */
  get isFresh() {
    return this.condition().silent_s < SILENT_AFTER_S;
  }

  connect() {
    this.connection = "connecting";
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(
      `${scheme}://${location.host}/api/v1/live?topics=${TOPICS.join(",")}`,
    );
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.connection = "open";
      this.waits_s = FIRST_WAIT_S;
      this.tell();
    };
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = () => this.lose();
    this.socket = socket;
    this.tell();
  }

  lose() {
    this.socket = null;
    this.connection = "waiting";
    const jitter = 0.75 + Math.random() / 2;
    this.retry = window.setTimeout(() => this.connect(), this.waits_s * jitter * 1000);
    this.tell();
    this.waits_s = Math.min(2 * this.waits_s, LONGEST_WAIT_S);
    document.dispatchEvent(new Event("connection-lost"));
  }

  /** @param {ArrayBuffer} data */
  take(data) {
    const length = new DataView(data).getUint16(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 2, length)));
    const { topic } = header;
    if (topic === "silent") {
      this.heardAt = Math.min(this.heardAt, performance.now() - header.seconds * 1000);
      this.tell();
      return;
    }
    if (header.boot !== undefined && !this.notice(header)) return;
    if (REMEMBERED.has(topic)) this.newest.set(topic, header);
    this.dispatch(topic, header, data.slice(2 + length));
  }

  /**
   * Take a message for a sign of life, and one of another boot for a restart.
   *
   * @param {any} header
   * @returns {boolean} false if the message was here before: a newcomer gets the last ten seconds.
   */
  notice({ topic, boot, sequence, age_s }) {
    if (this.boot !== boot) {
      if (this.boot !== "") {
        this.forget();
        this.dispatch("restarted", {}, new ArrayBuffer(0));
      }
      this.boot = boot;
      this.sequences.clear();
    }
    const wasFresh = this.isFresh;
    this.heardAt = Math.max(this.heardAt, performance.now() - 1000 * (age_s ?? 0));
    if (!wasFresh) this.tell();
    const last = this.sequences.get(topic) ?? -1;
    if (REMEMBERED.has(topic) ? sequence < last : sequence <= last) return false;
    this.sequences.set(topic, sequence);
    return true;
  }

  /**
   * @param {string} topic
   * @param {any} header
   * @param {ArrayBuffer} payload
   */
  dispatch(topic, header, payload) {
    for (const listener of this.listeners.get(topic) ?? []) {
      try {
        listener(header, payload);
      } catch (error) {
        console.error(`a listener of ${topic} failed`, error);
      }
    }
  }

  /** What was heard last holds no longer: somebody else may wear the electrodes by now. */
  forget() {
    this.newest.clear();
    this.dispatch("forget", {}, new ArrayBuffer(0));
  }

  tell() {
    const condition = this.condition();
    const isFresh = condition.silent_s < SILENT_AFTER_S;
    if (this.wasFresh && !isFresh) this.forget();
    this.wasFresh = isFresh;
    for (const watcher of this.watchers) watcher(condition);
  }
}

/** The page's connection. */
export const live = new Live();
