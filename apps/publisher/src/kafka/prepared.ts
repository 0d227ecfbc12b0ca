import { useFastProduce } from './fast-produce';

/** To be imported before whatever imports kafkajs. False: this kafkajs is not the version that our encoding was compared with. */
export const fastProduce = useFastProduce();
