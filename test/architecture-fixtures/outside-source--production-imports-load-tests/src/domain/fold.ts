export { sample } from "../../load-tests/sample.ts";
