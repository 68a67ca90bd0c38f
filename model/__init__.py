"""Who it is: the network, its passport, the enrolled people and the decision."""
