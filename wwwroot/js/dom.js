// Elements without a library. Data from outside is set as text; no string contains markup.

/**
 * An element: h('button.primary', { type: 'button', onclick }, 'Save').
 * Properties that start with "on" become listeners; "data-…", "aria-…" and "role" become attributes; others become properties if the
 * element has them.
 */
export function h(spec, props, ...children) {
  const [name, ...classes] = spec.split('.');
  const element = document.createElement(name);
  if (classes.length > 0) {
    element.className = classes.join(' ');
  }

  for (const [key, value] of Object.entries(props ?? {})) {
    set(element, key, value);
  }

  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** An SVG element, with attributes only. */
export function svg(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    element.setAttribute(key, value);
  }

  element.append(...children);
  return element;
}

function set(element, key, value) {
  if (value === undefined || value === null || value === false) {
    return;
  }

  if (key.startsWith('on')) {
    element.addEventListener(key.slice(2), value);
  } else if (key in element && !key.startsWith('aria')) {
    element[key] = value;
  } else {
    element.setAttribute(key, value === true ? '' : value);
  }
}

/** Sets an element's text if it differs: most cells of a live table do not change. */
export function text(element, value) {
  const wanted = String(value);
  if (element.textContent !== wanted) {
    element.textContent = wanted;
  }
}

/** Shows or hides. */
export function show(element, visible) {
  if (element.hidden === visible) {
    element.hidden = !visible;
  }
}

/** Puts the children in this order and moves only those that are out of place. */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) {
    if (!wanted.has(child)) {
      child.remove();
    }
  }

  children.forEach((child, index) => {
    if (parent.children[index] !== child) {
      parent.insertBefore(child, parent.children[index] ?? null);
    }
  });
}

let lastId = 0;

/** A unique id for an element. */
export const uniqueId = prefix => `${prefix}-${++lastId}`;
