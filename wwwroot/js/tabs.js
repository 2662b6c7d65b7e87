// Tabs by the usual pattern: one of them in the tab order, arrows move between them.
import { h, uniqueId } from './dom.js';

/**
 * @param entries  {name, label, mount(place)} each; mount returns {update?, unmount?}.
 * @param onSelect is told the name of the chosen tab.
 */
export class Tabs {
  #entries;
  #buttons;
  #panel;
  #panelId = uniqueId('panel');
  #selected = null;
  #mounted = null;
  #onSelect;

  constructor(label, entries, onSelect) {
    this.#entries = entries;
    this.#onSelect = onSelect;
    this.#buttons = entries.map(entry => h('button', {
      type: 'button', role: 'tab', id: `${this.#panelId}-${entry.name}`, 'aria-controls': this.#panelId, onclick: () => this.#choose(entry.name),
    }, entry.label));
    this.#panel = h('div.panel', { role: 'tabpanel', id: this.#panelId, tabIndex: 0 });
    this.element = h('section.tabs', null,
      h('div.tablist', { role: 'tablist', 'aria-label': label, onkeydown: event => this.#onKey(event) }, this.#buttons), this.#panel);
  }

  select(name) {
    const entry = this.#entries.find(each => each.name === name) ?? this.#entries[0];
    if (entry === this.#selected) {
      return;
    }

    this.#selected = entry;
    this.#buttons.forEach((button, index) => {
      const chosen = this.#entries[index] === entry;
      button.setAttribute('aria-selected', String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      if (chosen) {
        button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      }
    });
    this.#panel.setAttribute('aria-labelledby', `${this.#panelId}-${entry.name}`);
    this.mountAgain();
  }

  /** The chosen panel from anew, as after a change of what may be done. */
  mountAgain() {
    this.#mounted?.unmount?.();
    this.#panel.replaceChildren();
    this.#mounted = this.#selected?.mount(this.#panel);
  }

  /** What the present tab shows has changed. */
  update(item) {
    this.#mounted?.update?.(item);
  }

  /** A number beside a tab's name. */
  badge(name, number) {
    const index = this.#entries.findIndex(entry => entry.name === name);
    const label = this.#entries[index].label;
    const wanted = number > 0 ? `${label} ${number}` : label;
    if (this.#buttons[index].textContent !== wanted) {
      this.#buttons[index].replaceChildren(label, ...(number > 0 ? [' ', h('span.count', null, String(number))] : []));
    }
  }

  close() {
    this.#mounted?.unmount?.();
  }

  #choose(name) {
    this.select(name);
    this.#onSelect(name);
  }

  #onKey(event) {
    const at = this.#entries.indexOf(this.#selected);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.#entries.length - 1 }[event.key];
    if (to === undefined) {
      return;
    }

    event.preventDefault();
    const index = (to + this.#entries.length) % this.#entries.length;
    this.#choose(this.#entries[index].name);
    this.#buttons[index].focus();
  }
}
