// Runs before all other scripts: what fails later is noted on the root element, where a reader of the page's markup
// finds it.
"use strict";
function noteError(text) {
  const root = document.documentElement;
  root.dataset.errors = Number(root.dataset.errors || 0) + 1;
  root.dataset.firstError = root.dataset.firstError || text;
}
window.addEventListener("error", (event) => noteError(event.message || "a part of the page could not be loaded"), true);
window.addEventListener("unhandledrejection", (event) => noteError(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => noteError(`asked for ${event.blockedURI}`));
