"""Clusters of failures: grouped, laid out on the map, titled; edited by people, corrected, measured."""
