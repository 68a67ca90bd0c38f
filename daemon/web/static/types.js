/**
 * The shapes of what the server sends, as docs/protocol.md tells them. Types only: nothing runs here.
 *
 * @typedef {object} Session
 * @property {"loopback" | "tls"} exposure who can reach the server.
 * @property {string[]} scopes what this browser may.
 * @property {string | null} csrf goes with each request that changes something.
 * @property {boolean} login_needed
 *
 * @typedef {object} Header what every message has.
 * @property {string} topic
 * @property {string} device
 * @property {string} boot
 * @property {number} sequence
 * @property {string} utc
 * @property {"ads1292r" | "simulated"} source
 * @property {number} age_s
 * @property {number} index
 *
 * @typedef {Header & {
 *   state: string, contact: "on" | "off" | "unknown", heart_rate_bpm: number | null, quality: number | null,
 *   playing: string | null, counters: Record<string, number>, chip: any, model: any, scheduling: any,
 *   enrolment: {person: string, beats: number, needed: number} | null, clock: string,
 * }} Status
 * @typedef {Header & {
 *   state: string, person: string | null, confidence: number | null, beats: number, hint: string | null,
 * }} Identity
 * @typedef {Header & {amplitude_mv: number, rr_s: number | null, search_back: boolean}} RPeak
 * @typedef {Header & {
 *   r_index: number, rr_s: number | null, heart_rate_bpm: number | null, quality: number, flaws: string[],
 * }} BeatMessage
 * @typedef {Header & {r_index: number, kind: string, abnormal: number | null}} BeatKind
 * @typedef {{kind: string, onset: number, end: number | null}} Episode
 * @typedef {Header & {
 *   rhythm: string, heart_rate_bpm: number | null, fibrillation: number | null, episodes: Episode[],
 * }} Rhythm
 * @typedef {Header & Episode & {evidence: [number, number], caution: string}} Alarm
 * @typedef {{rate_per_min: number | null, quality: number | null}} Breathing
 * @typedef {Header & Record<string, any> & {respiration: Breathing}} Hrv
 * @typedef {Header & {rate_hz: number}} Ecg
 * @typedef {Header & {
 *   rate_hz: number, mv_per_count: [number, number], channels: [string, string],
 *   flags: {lead_off: [number, number][] | null},
 * }} Wave
 */
export {};
