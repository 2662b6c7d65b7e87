// Dialogs on the browser's dialog element, which provides the focus trap and Escape.
import { h, uniqueId } from './dom.js';

/** Opens a modal dialog; returns the element, whose close() ends it. */
export function openDialog(title, content, { wide = false, onclose } = {}) {
  const titleId = uniqueId('dialog');
  const before = document.activeElement;
  const dialog = h('dialog', { 'aria-labelledby': titleId },
    h('div.dialog-head', null,
      h('h2', { id: titleId }, title),
      h('button.quiet.icon', { type: 'button', 'aria-label': 'Close', onclick: () => dialog.close() }, '✕')),
    h('div.dialog-body', null, content));
  dialog.classList.toggle('wide', wide);
  dialog.addEventListener('click', event => {
    if (event.target === dialog) {
      dialog.close();
    }
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    onclose?.();
    if (before?.isConnected) {
      before.focus();
    }
  });

  // A dialog belongs to the view that opened it.
  const leave = () => dialog.close();
  addEventListener('hashchange', leave, { once: true });
  dialog.addEventListener('close', () => removeEventListener('hashchange', leave));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Asks before an action. With `typed`, that text must be typed first.
 * `act` runs the action; the dialog shows its error and stays open.
 */
export function confirmDialog({ title, sentences, verb, danger = false, typed = null, act }) {
  const problem = h('p.problem', { role: 'alert', hidden: true });
  const button = h('button', { type: 'submit', className: danger ? 'danger' : 'primary', disabled: typed !== null }, verb);
  const inputId = uniqueId('typed');
  const input = typed === null ? null : h('input', {
    id: inputId, type: 'text', autocomplete: 'off', spellcheck: false,
    oninput: () => { button.disabled = input.value !== typed; },
  });
  const form = h('form', {
    async onsubmit(event) {
      event.preventDefault();
      button.disabled = true;
      try {
        await act();
        dialog.close();
      } catch (error) {
        problem.textContent = error.message;
        problem.hidden = false;
        button.disabled = false;
      }
    },
  },
    sentences.map(sentence => h('p', null, sentence)),
    input && h('label', { htmlFor: inputId }, 'Type ', h('code', null, typed), ' to confirm'),
    input,
    problem,
    h('div.actions', null, h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), button));
  const dialog = openDialog(title, form);
  (input ?? button).focus();
}
