// Runs the command line as `npm run build` made it: node .ci/built.js --version
const { main } = await import("../dist/src/app/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
