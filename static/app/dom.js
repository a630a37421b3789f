// Small helpers for elements, and settings that are stored in the browser.

const byId = (id) => document.getElementById(id);

/** Writes only changed text, because a live region would announce the same text again. */
function setText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function setProblem(field, errorId, problem) {
  setText(errorId, problem || '');
  if (field) field.setAttribute('aria-invalid', problem ? 'true' : 'false');
}

function setAvailable(button, available) {
  const disabled = available ? 'false' : 'true';
  if (button.getAttribute('aria-disabled') !== disabled) button.setAttribute('aria-disabled', disabled);
}

function span(className, text) {
  const element = document.createElement('span');
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

/** Stores a setting. Without storage it lasts as long as the page. */
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is disabled.
  }
}

function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function applyTheme(theme) {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

// This script is not deferred, so the stored theme is set before the first paint.
applyTheme(recall('framescope-theme'));
document.documentElement.classList.remove('unscripted');
