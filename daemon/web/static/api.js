/** Calls of the HTTP API: JSON in and out, and a problem (RFC 9457) becomes an error that can be read. */

import { said, t } from "./i18n.js";

const ROOT = "/api/v1";

/** @type {import("./types.js").Session | null} */
let session = null;

/**
 * An answer that is not a success: `message` is for people, `code` for programs, `words` are the server's own.
 */
export class Problem extends Error {
  /**
   * @param {string} message
   * @param {number} status of HTTP; 0 if there was no answer.
   * @param {string} code
   * @param {string} [words] in English.
   */
  constructor(message, status, code, words) {
    super(message);
    this.status = status;
    this.code = code;
    this.words = words;
  }
}

/** What this browser may, as told last; null before the first answer. */
export function currentSession() {
  return session;
}

/** @param {string} scope */
export function may(scope) {
  return session?.scopes.includes(scope) ?? false;
}

/** Ask the server what this browser may. */
export async function loadSession() {
  session = /** @type {import("./types.js").Session} */ (await get("/session"));
  return session;
}

/**
 * Exchange a token for a session cookie.
 *
 * @param {string} token
 */
export async function login(token) {
  await post("/login", { token });
  return loadSession();
}

export async function logout() {
  await post("/logout", {});
  return loadSession();
}

/**
 * @param {string} path below `/api/v1`.
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export function get(path, signal) {
  return call("GET", path, undefined, signal);
}

/**
 * @param {string} path
 * @param {object | FormData} body
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export function post(path, body, signal) {
  return call("POST", path, body, signal);
}

/**
 * Delete what `path` names.
 *
 * @param {string} path
 * @param {object} [body] such as a confirmation.
 * @returns {Promise<any>}
 */
export function remove(path, body) {
  return call("DELETE", path, body);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object | FormData} [body]
 * @param {AbortSignal} [signal]
 */
async function call(method, path, body, signal) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  /** @type {BodyInit | undefined} */
  let content;
  if (body instanceof FormData) content = body;
  else if (body !== undefined) {
    content = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  if (method !== "GET" && session?.csrf) headers["X-CSRF-Token"] = session.csrf;
  let answer;
  try {
    answer = await fetch(ROOT + path, { method, headers, body: content, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(said("no_answer"), 0, "no_answer");
  }
  if (!answer.ok) throw await problemOf(answer);
  if (answer.status === 204) return null;
  const json = (answer.headers.get("Content-Type") ?? "").includes("json");
  return json ? answer.json() : answer.blob();
}

/**
 * Say what went wrong, in the page's language.
 *
 * @param {Response} answer
 */
async function problemOf(answer) {
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) document.dispatchEvent(new Event("login-needed"));
  const { code, detail } = told;
  const text = code ? said(code, detail) : t("code.other", { status: answer.status });
  return new Problem(text, answer.status, code ?? "other", detail);
}
