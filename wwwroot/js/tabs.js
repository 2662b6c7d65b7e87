// Tabs by the ARIA pattern: one of them is in the tab order, arrows move between them.
import { h, uniqueId } from './dom.js';

/**
 * @param entries {name, label, mount(place), keep} each; mount returns {update?, unmount?}. A panel with `keep` stays as it is while
 * another tab is shown: a form keeps its input, a listener listens.
 * @param onSelect gets the name of the chosen tab.
 */
export class Tabs {
  #entries;
  #buttons;
  #panel;
  #panelId = uniqueId('panel');
  #selected = null;
  #mounted = new Map();
  #latest = null;
  #onSelect;

  constructor(label, entries, onSelect) {
    this.#entries = entries;
    this.#onSelect = onSelect;
    this.#buttons = entries.map(entry => h('button', {
      type: 'button', role: 'tab', id: `${this.#panelId}-${entry.name}`, 'aria-controls': this.#panelId, onclick: () =>
        this.#choose(entry.name),
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

    this.#leave();
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
    this.#show();
  }

  /** Makes all panels again, as after a change of permissions. */
  mountAgain() {
    this.#unmountAll();
    this.#show();
  }

  /** Passes new data to the selected tab, and to the others when they are selected. */
  update(item) {
    this.#latest = item;
    this.#mounted.get(this.#selected)?.panel.update?.(item);
  }

  /** Shows a number next to a tab's name. */
  badge(name, number) {
    const index = this.#entries.findIndex(entry => entry.name === name);
    const label = this.#entries[index].label;
    const wanted = number > 0 ? `${label} ${number}` : label;
    if (this.#buttons[index].textContent !== wanted) {
      this.#buttons[index].replaceChildren(label, ...(number > 0 ? [' ', h('span.count', null, String(number))] : []));
    }
  }

  close() {
    this.#unmountAll();
  }

  #show() {
    if (!this.#selected) {
      return;
    }

    const known = this.#mounted.get(this.#selected);
    if (known) {
      this.#panel.replaceChildren(known.place);
      if (this.#latest) {
        known.panel.update?.(this.#latest);
      }
    } else {
      const place = h('div.panel-content');
      this.#panel.replaceChildren(place);
      this.#mounted.set(this.#selected, { place, panel: this.#selected.mount(place) });
    }
  }

  /** Ends the selected panel, unless it is one that stays. */
  #leave() {
    if (this.#selected && !this.#selected.keep) {
      this.#mounted.get(this.#selected)?.panel.unmount?.();
      this.#mounted.delete(this.#selected);
    }
  }

  #unmountAll() {
    this.#mounted.forEach(({ panel }) => panel.unmount?.());
    this.#mounted.clear();
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
