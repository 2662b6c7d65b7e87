import { h } from './dom.js';
import { toast } from './toast.js';

/** A button that copies a text, which is made on demand. */
export function copyButton(makeText, label = 'Copy') {
  return h('button', { type: 'button', className: 'copy', onclick: () => copy(makeText()) }, label);
}

async function copy(content) {
  try {
    await navigator.clipboard.writeText(content);
  } catch {
    // Pages over plain HTTP from another machine have no clipboard API; this older command works there.
    const area = h('textarea', { value: content, readOnly: true, className: 'visually-hidden' });
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }

  toast('Copied.');
}
