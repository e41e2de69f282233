/** The present, in milliseconds since the epoch. A parameter, so that a test can choose it. */
export type Clock = () => number;
