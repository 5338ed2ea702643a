{# What Brian2's own synapses.cpp does for a pathway without delays, but without a queue: at a presynaptic spike an axon's synapses one after
   the other, and where its targets follow each other (all to all, or to all of a block) a loop that the compiler can turn into vector
   instructions; at a postsynaptic spike down a list of the cell's synapses and their axons. #}
{# USES_VARIABLES { _synaptic_pre, _synaptic_post, delay, N } #}
{% extends 'common_synapses.cpp' %}
{% block extra_headers %}
{{ super() }}
{{rows}}
{% endblock %}
{% set _eventspace = get_array_name(eventspace_variable) %}

{% block maincode %}
    const int32_t _n_spikes = {{_eventspace}}[{{n_neurons}}];
    if (_n_spikes == 0)
        return;

    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {% set lists = "Rows" if pathway.prepost == "pre" else "Columns" %}
    static const by_row::{{lists}} _lists({{get_array_name(variables['_synaptic_pre'], access_data=False)}},
                                    {{get_array_name(variables['_synaptic_post'], access_data=False)}},
                                    {{get_array_name(variables['delay'], access_data=False)}}, {{n_neurons}}, "{{pathway.name}}");
    for (int32_t _spike = 0; _spike < _n_spikes; _spike++)
    {
        const size_t _neuron = {{_eventspace}}[_spike];
        for (size_t _entry = _lists.first[_neuron]; _entry < _lists.first[_neuron + 1]; _entry++)
        {
        {% if pathway.prepost == "pre" %}
            const size_t _from = _lists.start[_entry], _to = _lists.start[_entry + 1];
            const size_t _presynaptic_idx = {{_synaptic_pre}}[_from], _target = {{_synaptic_post}}[_from];
            #pragma GCC ivdep
            for (size_t _idx = _from; _idx < _to; _idx++)
            {
                const size_t _postsynaptic_idx = _target + (_idx - _from);
                {{without_indices(vector_code)|autoindent}}
            }
        {% else %}
            const size_t _idx = _lists.synapse[_entry], _presynaptic_idx = _lists.axon[_entry];
            const size_t _postsynaptic_idx = _neuron;
            {{without_indices(vector_code)|autoindent}}
        {% endif %}
        }
    }
{% endblock %}
