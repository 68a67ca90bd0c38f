/** Small helpers that make elements, so that no view writes HTML as text. */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Make an HTML element.
 *
 * @param {string} tag
 * @param {Record<string, any>} [attributes] `class`, `onclick` and the like, else as in HTML; false
 *   and null leave one out, true writes it without a value.
 * @param {...(Child | Child[])} children texts stay texts, whatever is in them.
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (filled(document.createElement(tag), attributes, children));
}

/**
 * Make an SVG element.
 *
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return /** @type {SVGElement} */ (filled(made, attributes, children));
}

/**
 * Draw one of the symbols of icons.svg, as an ornament that screen readers skip.
 *
 * @param {string} name
 */
export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: iconPath(name) }));
}

/** @param {string} name */
export function iconPath(name) {
  return `/static/icons.svg#${name}`;
}

/**
 * Write a text, if it is another one than before: what does not change is not laid out anew.
 *
 * @param {Element} target
 * @param {string} text
 */
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * A canvas's drawing context with one unit for each CSS pixel, resized with its element.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {() => void} redraw called after each change of size.
 * @param {AbortSignal} signal ends it.
 */
export function followSize(canvas, redraw, signal) {
  const observer = new ResizeObserver(() => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    canvas.getContext("2d")?.setTransform(ratio, 0, 0, ratio, 0, 0);
    redraw();
  });
  observer.observe(canvas);
  signal.addEventListener("abort", () => observer.disconnect());
}

/**
 * Read colours of the style sheet for drawing on a canvas, as they are in the theme in use.
 *
 * @template {string} Name
 * @param {Name[]} names of CSS variables, without the dashes.
 * @returns {Record<Name, string>}
 */
export function colours(...names) {
  const probe = document.body.appendChild(element("i", { hidden: true }));
  const found = /** @type {Record<Name, string>} */ ({});
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

/**
 * @param {Element} made
 * @param {Record<string, any>} attributes
 * @param {(Child | Child[])[]} children
 */
function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false)
      made.append(child instanceof Node ? child : String(child));
  }
  return made;
}
