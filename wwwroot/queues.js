// Lists the queues, every two seconds while the page is visible. Names are shown as text only: anybody may have chosen them.
const refreshMs = 2000;
const columns = ['queue', 'policy', 'status', 'ready', 'delayed', 'leased', 'oldestAgeSeconds', 'putPerSecond', 'deliveredPerSecond'];
const firstNumber = 3;

const status = document.getElementById('status');
const rows = document.getElementById('queues');

for (const place of document.querySelectorAll('.origin')) {
  place.textContent = location.origin;
}

for (const place of document.querySelectorAll('.socket-origin')) {
  place.textContent = location.origin.replace(/^http/, 'ws');
}

function show(page) {
  rows.replaceChildren(...page.queues.map(queue => {
    const row = document.createElement('tr');
    columns.forEach((column, index) => {
      const cell = document.createElement('td');
      cell.textContent = queue[column] ?? '';
      cell.className = index >= firstNumber ? 'number' : '';
      row.append(cell);
    });
    return row;
  }));
  const shown = page.queues.length < page.total ? `, the first ${page.queues.length} are shown` : '';
  status.textContent = page.total === 0 ? 'No queue yet: the first put makes one.' : `${page.total} queues${shown}`;
}

async function refresh() {
  if (!document.hidden) {
    try {
      const answer = await fetch('q');
      show(await answer.json());
    } catch (error) {
      status.textContent = `The server does not answer: ${error.message}`;
    }
  }

  setTimeout(refresh, refreshMs);
}

refresh();
