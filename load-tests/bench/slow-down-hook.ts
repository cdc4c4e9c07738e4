// Loaded into each Proximal that `npm run bench -- --gate --slow-down 30` starts (node --import): makes it use so many per cent
// more CPU for the same work, to see whether the gate notices. Every few milliseconds it burns that share of what the
// process has used since.

const share = Number(process.env.BENCH_SLOW_DOWN ?? 0) / 100;
const everyMs = 5;

if (share > 0 && process.argv.includes("serve")) {
  const used = (): number => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  let before = used();
  setInterval(() => {
    const until = used() + (used() - before) * share;
    while (used() < until);
    before = used();
  }, everyMs).unref();
}
