/**
 * Invented texts about what people write and talk about at large. A text that is nearer to these than to a workflow's
 * labels fits none of the labels; those of them that are near a label do not count.
 */
export const EVERYDAY_TEXTS: readonly string[] = `
  the home side won the cup final after extra time
  which team has won the most championships
  the striker signed a new contract with the club
  our football team won the match on Saturday
  who holds the world record for the long jump
  the tennis player lost in the second round
  rules of chess for beginners
  who was the king of France during the revolution
  when did the ancient empire fall
  what caused the civil war
  the museum shows coins from the middle ages
  a treaty was signed between the two countries
  how do volcanoes form
  why is the sky blue
  what is the boiling point of mercury
  scientists discovered a new particle
  how do plants make food from light
  the telescope took pictures of a distant galaxy
  how far away is the moon
  what is the speed of sound
  explain the theory of evolution
  how many legs does a spider have
  what do pandas eat
  the cat slept on the sofa all day
  which breed of dog is best with children
  how long do elephants live
  my garden has roses and tulips
  how do I get rid of ants
  best time of year to plant trees
  who wrote the novel about the white whale
  recommend a good book to read
  the poem was published in 1920
  the actor won an award for his role
  what is the plot of that film
  which movie came out last summer
  the film was boring and far too long
  the singer released her third album
  who played drums in that band
  how to play the guitar
  the orchestra performed a symphony
  what is the highest mountain in the world
  how many people live in China
  what is the capital of Mongolia
  which river is the longest
  the island lies in the Pacific Ocean
  the parliament passed a law on taxes
  who is the president of Brazil
  the candidate won the election by a narrow margin
  police arrested a man after the robbery
  the court sentenced him to ten years
  the company reported higher profits this quarter
  shares of the chip maker fell on Monday
  what is the market price of gold
  how do I start a small business
  the central bank raised interest rates
  the factory will cut two hundred jobs
  who founded the largest software company
  how does a neural network learn
  which programming language should I learn first
  the new phone has a better camera
  how do I build my own computer
  what are the symptoms of the flu
  is coffee bad for your health
  how do I lose weight
  a vaccine was tested on volunteers
  how much sleep does an adult need
  exercises for a stronger back
  what is the meaning of life
  is there a god
  what did the philosopher say about truth
  how do I become a lawyer
  which college has the best medical school
  how do I write a good essay
  tips for learning a foreign language
  solve the equation for x
  what is the square of a prime
  my teacher gave us too much homework
  what should I name my baby
  how do I make friends in a new town
  my girlfriend is angry with me
  what should I wear to a wedding
  ideas for a birthday party
  how do I tie a knot
  how to remove paint from wood
  the house was built of brick in 1890
  how do I fix a leaking roof
  how to sew a button
  which colours go well with green
  how do I draw a face
  the painting was sold at an auction
  fashion from the eighties is back
  how do I braid hair
  best lipstick for dry lips
  the church was full on Sunday
  a ghost story from an old castle
  do aliens exist
  what is my horoscope
  the lottery jackpot
  the train was built in Germany
  who invented the steam engine
  how does a submarine dive
  the soldiers crossed the border at night
  the earthquake destroyed the village
  the storm flooded the coast
  the forest fire burned for a week
  climate change melts the ice
  recycling plastic bottles
  the farmers harvest wheat in August
  how do you raise chickens
  fishing on the lake
  a tent for camping in the mountains
  the marathon runner fell ill
  how do I win at poker
  a video game with dragons
  what toys do toddlers like
  how old was the queen when she died
  the ship sank in a storm
  quantum physics explained
  the doctor who discovered the cure
  what does this dream mean
  win a prize by calling this number
  buy cheap watches online
  donate to a charity for orphans
  the neighbours are too loud
  the landlord will not answer
  how do I apply for a passport
  when is the next public holiday
  the bus driver was rude
  how big is the universe
  what do sharks hunt
  the baby cried all night
  lol see you there mate
  ok thanks
  hello
  please read the attached file
  I love you
  nothing really, never mind`
  .trim()
  .split(/\n\s*/);
