// Compares what was ordered with what was billed, shipped and audited.

const sum = bodies => bodies.reduce((cents, body) => cents + body.cents, 0);
const euros = cents => (cents / 100).toFixed(2);

/** Prints the ledger; true where all agrees. */
export function report({ ordered, invoices, parcels, audit, crashes, dead }) {
  const problems = [
    ...missing('billed', ordered, invoices), ...missing('shipped', ordered, parcels), ...outOfOrder(parcels),
    ...['order', 'invoice', 'parcel'].flatMap(kind => missing(`audited as ${kind}`, ordered, audit.filter(body => kindOf(body) === kind))),
    ...dead.map(queue => `${queue} has messages`),
  ];
  if (sum(invoices) !== sum(ordered)) {
    problems.push(`${euros(sum(invoices))} was billed and ${euros(sum(ordered))} was ordered`);
  }

  row('', 'count', 'amount');
  row('ordered', ordered.length, euros(sum(ordered)));
  row('billed', invoices.length, euros(sum(invoices)));
  row('shipped', parcels.length, '');
  row('audited', audit.length, '');
  console.log(`\nCrashes: ${crashes.billing} of billing (.NET), ${crashes.shipping} of shipping (Node).`);
  console.log(problems.length === 0 ? 'The ledger adds up.' : `The ledger does not add up:\n${problems.join('\n')}`);
  return problems.length === 0;
}

/** The audit gets copies of orders, invoices and parcels; only invoices and parcels say what they are. */
function kindOf(body) {
  return body.kind ?? 'order';
}

/** Each order exactly once. */
function missing(what, ordered, bodies) {
  const times = new Map(ordered.map(({ number }) => [number, 0]));
  for (const { number } of bodies) {
    times.set(number, (times.get(number) ?? 0) + 1);
  }

  return [...times].filter(([, count]) => count !== 1).map(([number, count]) => `order ${number} was ${what} ${count} times`);
}

/** The parcels of one customer leave in the order of the orders. */
function outOfOrder(parcels) {
  const last = new Map();
  const problems = [];
  for (const { number, customer } of parcels) {
    if (number < (last.get(customer) ?? 0)) {
      problems.push(`order ${number} of ${customer} was shipped after order ${last.get(customer)}`);
    }

    last.set(customer, number);
  }

  return problems;
}

function row(name, count, amount) {
  console.log(`${name.padEnd(10)}${String(count).padStart(8)}${amount.padStart(12)}`.trimEnd());
}
