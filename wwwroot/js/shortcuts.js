import { h } from './dom.js';
import { openDialog } from './dialog.js';

const keys = [
  ['/', 'Search'],
  ['g', 'Overview'],
  ['n', 'Nodes'],
  ['← →', 'Between tabs'],
  ['Ctrl Enter', 'Put the message'],
  ['Esc', 'Close a dialog'],
  ['?', 'This list']
];

export function showShortcuts() {
  openDialog(
    'Keyboard',
    h('dl.facts', null, keys.map(([key, what]) => h('div', null, h('dt', null, h('kbd', null, key)), h('dd', null, what)))));
}
