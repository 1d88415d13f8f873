"""Equal-budget comparisons: the plan of trials, statistics, ranking."""
