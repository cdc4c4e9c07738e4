/** jStat ships no types: these are the functions in use. */
declare module "jstat" {
  interface Distribution<Parameters extends readonly number[]> {
    /** Quantile function at probability p. */
    inv(p: number, ...parameters: Parameters): number;
  }
  const jStat: {
    readonly studentt: Distribution<[degreesOfFreedom: number]>;
    readonly normal: Distribution<[mean: number, standardDeviation: number]>;
  };
  export = jStat;
}
