/** Notifications of the browser while the page is open. */

/** @param {HTMLElement} button */
export function showNotificationTool(button) {
  button.hidden = true;
}
export function openNotifications() {}
export function watchForNotifications() {}
