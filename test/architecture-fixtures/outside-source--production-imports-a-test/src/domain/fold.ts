export { sample } from "./fold.test.ts";
