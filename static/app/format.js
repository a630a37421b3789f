// Texts and bytes for people.

const SHOWN = 64; // the number of characters or bytes of a message that a row shows

const grouped = new Intl.NumberFormat('en-US');
const tenths = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const encoder = new TextEncoder();

function plural(count, unit) {
  return `${grouped.format(count)} ${unit}${count === 1 ? '' : 's'}`;
}

function utf8Length(text) {
  return encoder.encode(text).length;
}

function sizeOf(payload) {
  return typeof payload === 'string' ? utf8Length(payload) : payload.length;
}

function kindOf(payload) {
  return typeof payload === 'string' ? 'text' : 'binary';
}

/** Shows control and bidirectional characters as visible symbols, so that they cannot rearrange the row. */
function visible(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (char) => {
    const code = char.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return '\u2421';
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** The first characters of a text, never half of a surrogate pair. */
function firstCharacters(text, count) {
  return Array.from(text.slice(0, count * 2)).slice(0, count).join('');
}

function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** Bytes as hex in groups of eight: a row breaks only between groups. */
function hexGroups(bytes) {
  const groups = [];
  for (let at = 0; at < bytes.length; at += 8) groups.push(hexOf(bytes.subarray(at, at + 8)));
  return groups;
}

function clockTime(date) {
  const two = (n) => String(n).padStart(2, '0');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** The first part of a message as text or hex, as pieces of a row: each a class name and a text. */
function messageData(payload) {
  if (payload.length === 0) return [['gloss', 'empty']];
  if (typeof payload === 'string') {
    const start = firstCharacters(payload, SHOWN);
    const shown = ['', visible(start)];
    return start.length < payload.length ? [shown, ['more', ' …']] : [shown];
  }
  const shown = hexGroups(payload.subarray(0, SHOWN)).flatMap((group) => [['hex-group', group], ['', ' ']]);
  return payload.length > SHOWN ? [...shown, ['more', '…']] : shown;
}
