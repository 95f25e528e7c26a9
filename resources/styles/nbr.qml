<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="-1" classificationMax="1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="-1" maximumValue="1">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="142,1,82,255"/>
       <Option type="QString" name="color2" value="39,100,25,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.3;197,27,125,255:0.45;241,182,218,255:0.55;247,247,247,255:0.65;184,225,134,255:0.8;77,146,33,255"/>
      </Option>
     </colorramp>
     <item value="-1" color="#8e0152" alpha="255" label="-1: burnt"/>
     <item value="-0.4" color="#c51b7d" alpha="255" label="-0.4: burnt"/>
     <item value="-0.1" color="#f1b6da" alpha="255" label="-0.1: burnt or bare"/>
     <item value="0.1" color="#f7f7f7" alpha="255" label="0.1: bare or sparse plants"/>
     <item value="0.3" color="#b8e186" alpha="255" label="0.3: plants or water"/>
     <item value="0.6" color="#4d9221" alpha="255" label="0.6: dense plants or water"/>
     <item value="1" color="#276419" alpha="255" label="1: dense plants or water"/>
     <rampLegendSettings useContinuousLegend="0" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
