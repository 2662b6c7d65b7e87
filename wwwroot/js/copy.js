import { h } from './dom.js';
import { toast } from './toast.js';

/** A button that copies a text, made when it is pressed. */
export function copyButton(makeText, label = 'Copy') {
  return h('button', { type: 'button', className: 'copy', onclick: () => copy(makeText()) }, label);
}

async function copy(content) {
  try {
    await navigator.clipboard.writeText(content);
  } catch {
    // Pages that came over plain HTTP from another machine have no clipboard; the old way works there.
    const area = h('textarea', { value: content, readOnly: true, className: 'visually-hidden' });
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }

  toast('Copied.');
}
