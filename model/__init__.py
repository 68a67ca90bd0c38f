"""Who it is: network, passport, enrolled people, decision; the kinds of beats and the rhythm."""
