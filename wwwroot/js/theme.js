// Light, dark, or as the system says; remembered on this machine.
const key = 'pushqueue-theme';
const order = ['system', 'light', 'dark'];
const signs = { system: '◐', light: '☀', dark: '☾' };
const changed = new EventTarget();

function current() {
  const stored = localStorage.getItem(key);
  return order.includes(stored) ? stored : 'system';
}

function apply(button) {
  const theme = current();
  document.documentElement.dataset.theme = theme;
  button.textContent = signs[theme];
  button.setAttribute('aria-label', `Theme: ${theme}. Change`);
  button.title = `Theme: ${theme}`;
  changed.dispatchEvent(new Event('change'));
}

export function setUpTheme(button) {
  apply(button);
  button.addEventListener('click', () => {
    localStorage.setItem(key, order[(order.indexOf(current()) + 1) % order.length]);
    apply(button);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => changed.dispatchEvent(new Event('change')));
}

/** Calls when colours have changed, for what is drawn; returns how to stop that. */
export function onThemeChange(listener) {
  changed.addEventListener('change', listener);
  return () => changed.removeEventListener('change', listener);
}

/** A colour of the theme as it is now. */
export function colour(name) {
  const probe = document.createElement('span');
  probe.className = `probe probe-${name}`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
